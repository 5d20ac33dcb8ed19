"""The SNAC codec: codes in, audio out (hubertsiuzdak/snac, MIT; the 24 kHz model of three layers)."""

from pathlib import Path
from typing import Any

from agents.engines.weights import find_weights
from agents.runtime.errors import BackendUnavailable
from agents.tts.orpheus_codes import FRAME_SAMPLES, RATE_HZ, Stretch, layers_of

_WEIGHTS = "pytorch_model.bin"
_LAYERS = 3


class SnacDecoder:
    """Decodes frames on the GPU if there is one. All its methods block."""

    def __init__(self, model: str) -> None:
        self._name = model
        self._model: Any = None
        self.device = "cpu"

    def load(self) -> None:
        """Load ``model``, a directory or a name in the local cache of the model hub.

        Raises:
            BackendUnavailable: it is not there, or is another codec; or a library is missing.
        """
        try:
            import torch
            from snac import SNAC
        except ImportError as error:
            raise BackendUnavailable(
                f"{error.name} is not installed; install robot-hub[orpheus]"
            ) from error
        folder = find_weights(self._name)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model = SNAC.from_config(str(folder / "config.json"))
            # Tensors and nothing else: a file of weights can hold code.
            weights = torch.load(
                Path(folder) / _WEIGHTS, map_location=self.device, weights_only=True
            )
            model.load_state_dict(weights)
        except Exception as error:
            # Whatever torch and the codec raise at files that are not what they should be.
            raise BackendUnavailable(f"{self._name} cannot be loaded: {error}") from error
        frame = int(model.hop_length) * int(model.vq_strides[0])
        if (model.sampling_rate, frame, model.n_codebooks) != (RATE_HZ, FRAME_SAMPLES, _LAYERS):
            raise BackendUnavailable(f"{self._name} is not the codec that Orpheus speaks with")
        self._model = model.eval().to(self.device)

    def decode(self, stretch: Stretch) -> bytes:
        """The audio of the new frames of ``stretch``: mono s16le at 24 kHz."""
        import torch

        layers = layers_of(stretch.frames)
        codes = [torch.tensor([layer], dtype=torch.long, device=self.device) for layer in layers]
        with torch.inference_mode():
            audio = self._model.decode(codes).reshape(-1)
        new = audio[stretch.first * FRAME_SAMPLES :][: stretch.new * FRAME_SAMPLES]
        sound = torch.nan_to_num(new.float()).clamp(-1.0, 1.0).mul(32_767).to(torch.int16)
        return bytes(sound.cpu().numpy().tobytes())

    def close(self) -> None:
        """Free the model."""
        self._model = None
