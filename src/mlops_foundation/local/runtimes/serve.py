# mypy: ignore-errors
# (its imports are in the image's environment, not in ours)
"""The model server of the framework images: ``/ping`` and ``/invocations`` over the user's inference script.

A plain program that runs in an image's environment, never in the platform's. It drives the Transformer of the official
sagemaker-inference toolkit, whose own server is written in Java, with scikit-learn's default functions.

    python serve.py <unix socket>
"""

import os
import sys
from typing import Any

import numpy as np
import uvicorn
from sagemaker_inference import content_types, decoder, encoder, utils
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_inference.environment import Environment, model_dir
from sagemaker_inference.errors import UnsupportedFormatError
from sagemaker_inference.transformer import Transformer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class ScikitLearnHandler(DefaultInferenceHandler):
    """What an inference script may leave out, as the scikit-learn image has it."""

    def default_input_fn(self, input_data: Any, content_type: str, context: Any = None) -> Any:  # noqa: ANN401
        """Decode to an array; text formats to 32-bit floats."""
        del context
        array = decoder.decode(input_data, content_type)
        return array.astype(np.float32) if content_type in content_types.UTF8_TYPES else array

    def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:  # noqa: ANN401
        """Call the model's ``predict``."""
        del context
        return model.predict(data)

    def default_output_fn(self, prediction: Any, accept: str, context: Any = None) -> Any:  # noqa: ANN401
        """Encode in the first accepted format that is known."""
        del context
        for content_type in utils.parse_accept(accept):
            if content_type in encoder.SUPPORTED_CONTENT_TYPES:
                return encoder.encode(prediction, content_type), content_type
        raise UnsupportedFormatError(accept)


class Invocation:
    """One request and its answer in the shape the toolkit calls a context."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers
        self.system_properties = {"model_dir": model_dir}
        self.request_processor = [self]
        self.status = 200
        self.content_type = content_types.JSON

    def get_request_properties(self) -> dict[str, str]:
        """Return the request's headers."""
        return self._headers

    def set_response_content_type(self, _index: int, content_type: str) -> None:
        """Keep the format of the answer."""
        self.content_type = content_type

    def set_response_status(self, code: int, phrase: str) -> None:
        """Keep the status of an answer that is an error."""
        del phrase
        self.status, self.content_type = code, content_types.JSON if code == 200 else "text/plain"  # noqa: PLR2004


def reason(answer: str) -> str:
    """Return the line of a traceback that says what is wrong; the whole of it is in the endpoint's log."""
    lines = [line for line in answer.splitlines() if line.strip()]
    raised = [line for line in lines if not line[0].isspace() and ":" in line and not line.startswith("Traceback")]
    return (raised or lines or ["no reason given"])[-1].strip() if "Traceback" in answer else answer


def application() -> Starlette:
    """Load the model and return the server; what the user's script raises here ends the container."""
    transformer = Transformer(ScikitLearnHandler())
    transformer.validate_and_initialize(model_dir=model_dir, context=Invocation({}))

    async def ping(_request: Request) -> Response:
        return Response(status_code=200)

    async def invocations(request: Request) -> Response:
        headers = {"Content-Type": request.headers.get("content-type", content_types.JSON)}
        if accept := request.headers.get("accept"):
            headers["Accept"] = accept
        invocation = Invocation(headers)
        (answer,) = transformer.transform([{"body": await request.body()}], invocation)
        if invocation.status != 200:  # noqa: PLR2004
            sys.stderr.write(f"{answer}\n")
            answer = reason(str(answer))
        body = answer if isinstance(answer, bytes | bytearray) else str(answer).encode()
        return Response(bytes(body), invocation.status, media_type=invocation.content_type)

    routes = [Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])]
    return Starlette(routes=routes)


def main() -> None:
    """Serve on the given unix socket until told to end."""
    code = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", f"{model_dir}/code")
    sys.path.insert(0, code)
    os.chdir(model_dir)
    sys.stdout.write(f"loading {Environment().module_name} from {code}\n")
    sys.stdout.flush()
    uvicorn.run(application(), uds=sys.argv[1], log_level="info", access_log=False, http="httptools", loop="uvloop")


if __name__ == "__main__":
    main()
