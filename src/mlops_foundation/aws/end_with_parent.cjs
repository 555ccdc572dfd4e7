// Ends the CLI with the program that started it: when that one is killed, our standard input closes.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM"));
process.stdin.resume();
process.stdin.unref();
