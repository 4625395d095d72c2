"""What the user sets for all devices."""

from __future__ import annotations

#: ``"highest"``: float32 is multiplied as float32; ``"high"``: a GPU may round it to TF32 first.
matmul_precision = "highest"
