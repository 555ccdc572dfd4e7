"""The project templates, one folder each: ``spec.py``, ``rights.py``, ``product.py`` and ``seed/``.

Adding one is a folder and a line here: the spec says everything that the platform has to know of it. The first whose
problem and inference types fit is what a project is made from when nothing is asked for.
"""

from typing import Final

from mlops_foundation.plan.specs import TemplateSpec, load_specs

TEMPLATES: Final = load_specs(
    __name__,
    (
        "realtime",
    ),
    TemplateSpec,
)  # fmt: skip
