"""Sound that is too quiet to hold a voice, found for a microsecond or two."""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

QUIET_PEAK = 32
"""-60 dBFS: far below any voice a microphone picks up, above the dither of a silent one."""


def is_quiet(samples: Samples) -> bool:
    """Whether no sample leaves ``±QUIET_PEAK``."""
    return bool(samples.max() <= QUIET_PEAK and samples.min() >= -QUIET_PEAK)
