"""Jobs: a command in an image's runtime, with inputs from S3 and outputs to S3, as the job's role."""
