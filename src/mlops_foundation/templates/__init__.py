"""The project templates, one folder each; every one is a version of the product "SageMaker Project".

Adding one is a folder with ``product.py`` and a line here. The first is the default of ``mlops project create``.
"""

from typing import Final

from mlops_foundation.plan.models import TemplateSpec

TEMPLATES: Final[tuple[TemplateSpec, ...]] = (
    TemplateSpec(
        name="realtime",
        description="Supervised model behind a real-time endpoint, from a push to production",
        builder="mlops_foundation.templates.realtime.product:build",
        seeds={"build": "seed/build", "deploy": "seed/deploy"},
    ),
)
