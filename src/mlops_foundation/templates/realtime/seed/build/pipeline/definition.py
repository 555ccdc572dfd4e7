"""The pipeline: preprocess, train, evaluate; then register the model, or fail when it is not good enough.

    Preprocess -> Train -> Evaluate -> GoodEnough -> Register
                                                 \\-> NotGoodEnough (fails)

Every job runs in the project's network without internet, with its data encrypted by the project's key.
"""

from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    MetricDefinition,
    OutputDataConfig,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    Tag,
)
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat
from sagemaker.core.workflow.pipeline_definition_config import PipelineDefinitionConfig
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, Networking, SourceCode

from pipeline.session import ProjectSession
from pipeline.settings import Parameters, Project

SOURCE = Path(__file__).parent.parent / "src"
CONTAINER = "/opt/ml/processing"
SCIKIT_LEARN = "1.9-0"
VOLUME_GB = 30
MAX_RUNTIME_S = 3600


class ProjectTrainer(ModelTrainer):
    """Stages the code in the project's bucket.

    The SDK would first ask IAM whether the role may read it, and IAM cannot be reached from a network without internet.
    """

    def _resolve_staging_bucket(self) -> tuple[str, None]:
        return self.sagemaker_session.default_bucket(), None


class TrainingPipeline:
    """Builds the steps of one pipeline.

    Args:
        project: Where it lives.
        parameters: What it is run with.
        session: Uploads the code; records requests instead of sending them.
    """

    def __init__(self, project: Project, parameters: Parameters, session: ProjectSession) -> None:
        self.project, self.parameters, self.session = project, parameters, session
        self.image = image_uris.retrieve(
            "sklearn", project.region, version=SCIKIT_LEARN, instance_type=parameters.training_instance
        )

    def build(self) -> Pipeline:
        """Return the whole pipeline."""
        min_accuracy = ParameterFloat("MinAccuracy", default_value=self.parameters.min_accuracy)
        preprocess = self.preprocess()
        train = self.train(preprocess)
        report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
        evaluate = self.evaluate(preprocess, train, report)
        accuracy = JsonGet(
            step_name=evaluate.name,
            property_file=report,
            json_path="binary_classification_metrics.accuracy.value",
        )
        message = Join(on=" ", values=["the model's accuracy", accuracy, "is below the required", min_accuracy])
        decide = ConditionStep(
            name="GoodEnough",
            conditions=[ConditionGreaterThanOrEqualTo(left=accuracy, right=min_accuracy)],
            if_steps=[self.register(train, evaluate)],
            else_steps=[FailStep(name="NotGoodEnough", error_message=message)],
        )
        return Pipeline(
            name=self.project.pipeline,
            parameters=[min_accuracy],
            steps=[preprocess, train, evaluate, decide],
            sagemaker_session=self.session,
            pipeline_definition_config=PipelineDefinitionConfig(use_custom_job_prefix=True),
        )

    def preprocess(self) -> ProcessingStep:
        """Return the step that splits the data."""
        parameters = self.parameters
        inputs = [self._input("data", parameters.data_s3_uri, "input/data")] if parameters.data_s3_uri else []
        arguments = self._processor("preprocess").run(
            code=str(SOURCE / "preprocess.py"),
            inputs=inputs,
            outputs=[self._output("train"), self._output("test")],
            arguments=[
                "--target", parameters.target,
                "--test-fraction", str(parameters.test_fraction),
                "--seed", str(parameters.seed),
            ],
        )  # fmt: skip
        return ProcessingStep(name="Preprocess", step_args=arguments)

    def train(self, preprocess: ProcessingStep) -> TrainingStep:
        """Return the step that fits the model."""
        project, parameters = self.project, self.parameters
        networking = Networking(
            enable_network_isolation=True,
            subnets=list(project.subnet_ids) or None,
            security_group_ids=list(project.security_group_ids) or None,
        )
        trainer = ProjectTrainer(
            training_image=self.image,
            source_code=SourceCode(source_dir=str(SOURCE), entry_script="train.py"),
            hyperparameters={"c": parameters.c, "max-iterations": parameters.max_iterations},
            compute=Compute(
                instance_type=parameters.training_instance,
                instance_count=1,
                volume_size_in_gb=VOLUME_GB,
                volume_kms_key_id=project.kms_key_arn,
            ),
            networking=networking,
            output_data_config=OutputDataConfig(
                s3_output_path=f"s3://{project.bucket}/{project.pipeline}/models", kms_key_id=project.kms_key_arn
            ),
            input_data_config=[
                InputData(channel_name="train", data_source=_place(preprocess, "train"), content_type="text/csv")
            ],
            base_job_name=f"{project.name}-train",
            role=project.role_arn,
            sagemaker_session=self.session,
            tags=[Tag(key=key, value=value) for key, value in project.tags.items()],
        ).with_metric_definitions([MetricDefinition(name="train:accuracy", regex="train:accuracy=([0-9.]+);")])
        return TrainingStep(name="Train", step_args=trainer.train())

    def evaluate(self, preprocess: ProcessingStep, train: TrainingStep, report: PropertyFile) -> ProcessingStep:
        """Return the step that judges the model on rows it has not seen."""
        model = train.properties.ModelArtifacts.S3ModelArtifacts
        arguments = self._processor("evaluate").run(
            code=str(SOURCE / "evaluate.py"),
            inputs=[self._input("model", model, "model"), self._input("test", _place(preprocess, "test"), "test")],
            outputs=[self._output("evaluation")],
        )
        return ProcessingStep(name="Evaluate", step_args=arguments, property_files=[report])

    def register(self, train: TrainingStep, evaluate: ProcessingStep) -> ModelStep:
        """Return the step that registers a version; it waits for approval by a person."""
        builder = ModelBuilder(
            s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
            image_uri=self.image,
            env_vars={"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
            role_arn=self.project.role_arn,
            sagemaker_session=self.session,
        )
        metrics = Join(on="/", values=[_place(evaluate, "evaluation"), "evaluation.json"])
        arguments = builder.register(
            model_package_group_name=self.project.model_package_group,
            content_types=["text/csv", "application/json"],
            response_types=["application/json"],
            inference_instances=list(self.parameters.inference_instances),
            transform_instances=list(self.parameters.inference_instances),
            approval_status="PendingManualApproval",
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(content_type="application/json", s3_uri=metrics)
            ),
            customer_metadata_properties={"commit": self.project.commit},
            description=f"{self.project.name} at commit {self.project.commit}",
        )
        return ModelStep(name="Register", step_args=arguments)

    def _processor(self, name: str) -> ScriptProcessor:
        project = self.project
        return ScriptProcessor(
            image_uri=self.image,
            command=["python3"],
            instance_type=self.parameters.processing_instance,
            instance_count=1,
            volume_size_in_gb=VOLUME_GB,
            volume_kms_key=project.kms_key_arn,
            output_kms_key=project.kms_key_arn,
            max_runtime_in_seconds=MAX_RUNTIME_S,
            base_job_name=f"{project.name}-{name}",
            role=project.role_arn,
            sagemaker_session=self.session,
            tags=[{"Key": key, "Value": value} for key, value in project.tags.items()],
            network_config=NetworkConfig(
                enable_network_isolation=True,
                subnets=list(project.subnet_ids) or None,
                security_group_ids=list(project.security_group_ids) or None,
            ),
        )

    def _output(self, name: str) -> ProcessingOutput:
        """Return an output in a folder of this execution's own."""
        base = f"s3://{self.project.bucket}/{self.project.pipeline}/runs"
        place = Join(on="/", values=[base, ExecutionVariables.PIPELINE_EXECUTION_ID, name])
        source = ProcessingS3Output(s3_uri=place, local_path=f"{CONTAINER}/{name}", s3_upload_mode="EndOfJob")
        return ProcessingOutput(output_name=name, s3_output=source)

    @staticmethod
    def _input(name: str, uri: object, folder: str) -> ProcessingInput:
        source = ProcessingS3Input(
            s3_uri=uri, local_path=f"{CONTAINER}/{folder}", s3_data_type="S3Prefix", s3_input_mode="File"
        )
        return ProcessingInput(input_name=name, s3_input=source)


def _place(step: ProcessingStep, output: str) -> object:
    return step.properties.ProcessingOutputConfig.Outputs[output].S3Output.S3Uri
