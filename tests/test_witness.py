"""Which candidate computes what a checkpoint's own code computed.

The own code is timm's, torchvision's, or torchvision's changed by hand.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner, Result
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.transforms import functional

from resnet_spec import build_model, load_weights
from resnet_spec.cli import main
from resnet_spec.compare.libraries import draw_weights

CLASSES = 10
IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


class Case:
    """A model's weights in a file, and what it made of images."""

    def __init__(self, folder: Path, model: nn.Module, x: Tensor = IMAGES) -> None:
        draw_weights(model)
        self.folder, self.model = folder, model.eval()
        self.file, self.x, self.y = (
            folder / name for name in ("m.safetensors", "x.npy", "y.npy")
        )
        save_file(model.state_dict(), self.file)
        np.save(self.x, x.numpy())
        with torch.inference_mode():
            np.save(self.y, model(x).numpy())

    def run(self, *args: object, x: object = None, y: object = None) -> Result:
        pair = ["--witness", str(x or self.x), str(y or self.y)]
        return CliRunner().invoke(
            main, ["infer", str(self.file), *pair, *map(str, args)]
        )

    def computes(self, text: str) -> bool:
        """Whether a page's network, with the file's weights, gives what the model gave."""
        spec = self.folder / "found.yaml"
        spec.write_text(text)
        model = build_model(spec)
        load_weights(model, self.file)
        with torch.inference_mode():
            found = model.eval()(torch.from_numpy(np.load(self.x)))
        return np.allclose(found.numpy(), np.load(self.y), rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def blur(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """timm's ResNet-18 with blurs, which has the names and shapes of the one without."""
    folder = tmp_path_factory.mktemp("blur")
    return Case(folder, timm.create_model("resnetblur18", num_classes=CLASSES))


def test_the_candidate_that_computes_it_is_printed(blur: Case) -> None:
    result = blur.run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "extends: resnetblur18\n" in result.stdout
    assert "2 networks tried on y.npy" in result.stdout
    assert "#   resnet18, " in result.stdout  # the next
    assert blur.computes(result.stdout)


def v1_with_another_eps() -> ResNet:
    """torchvision's, strided as the paper has it."""
    norm = partial(nn.BatchNorm2d, eps=1e-3)
    model = ResNet(Bottleneck, [1, 1, 1, 1], num_classes=CLASSES, norm_layer=norm)
    model.layer4, model.fc = nn.Sequential(), nn.Linear(1024, CLASSES)
    for name in ("layer2", "layer3"):
        block = getattr(model, name)[0]
        block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)
    return model


def test_open_fields_of_what_ships_nowhere_are_told(tmp_path: Path) -> None:
    case = Case(tmp_path, v1_with_another_eps())
    result = case.run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "stride_on: conv1\n" in result.stdout
    assert "norm: {type: batch, eps: 0.001}\n" in result.stdout
    assert case.computes(result.stdout)


def test_a_map_of_a_stage_tells_as_well(blur: Case, tmp_path: Path) -> None:
    maps: list[Tensor] = []
    hook = blur.model.layer3.register_forward_hook(lambda *given: maps.append(given[2]))
    with torch.inference_mode():
        blur.model(IMAGES)
    hook.remove()
    np.save(tmp_path / "map.npy", maps[0].numpy())
    result = blur.run(y=tmp_path / "map.npy")
    assert result.exit_code == 0
    assert "extends: resnetblur18\n" in result.stdout


def test_what_it_does_not_tell_is_asked_for(tmp_path: Path) -> None:
    """Of one pixel there is nothing to stride over."""
    model = build_model("preresnet164")
    case = Case(tmp_path, model, torch.randn(1, 3, 1, 1))
    result = case.run()
    assert result.exit_code == 2
    assert "# extends: preresnet164 " in result.stdout
    assert "# extends: preresnet164_fb " in result.stdout
    assert "give --assume preresnet164 or preresnet164_fb" in result.stderr


def test_none_that_computes_it_is_said_with_the_nearest(
    blur: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet_spec.compare.witness.MOST", 4)
    noise = tmp_path / "y.npy"
    np.save(noise, np.load(blur.y) + 0.5)
    result = blur.run(y=noise)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "none of 4 networks tried computes it within 0.0001" in result.stderr
    assert "the nearest are resnetblur18, " in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_class_is_told_of_each_and_proves_nothing(blur: Case, tmp_path: Path) -> None:
    """A picture is prepared as in torchvision: resized to the spec's image, and scaled."""
    picture = tmp_path / "picture.png"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(pixels).save(picture)
    result = blur.run(x=picture, y=3)
    assert result.exit_code == 2
    tensor = functional.resize(
        torch.from_numpy(pixels).permute(2, 0, 1), [224, 224], antialias=True
    )
    images = functional.normalize(
        tensor / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    with torch.inference_mode():
        probability = blur.model(images[None]).softmax(1)[0, 3].item()
    assert f"#   {probability:.4f} by resnetblur18\n" in result.stdout
    assert "which is no proof" in result.stdout
    assert "# extends: resnet18 " in result.stdout


NONE = np.zeros((2, CLASSES), np.float32)


def wrong(blur: Case, folder: Path) -> Iterator[tuple[str, dict[str, object], str]]:
    """Inputs that say nothing, by what the line must say."""

    def saved(array: Any, name: str = "a.npy") -> dict[str, object]:
        np.save(folder / name, array)
        return {name[0]: folder / name}

    x, y = np.load(blur.x), np.load(blur.y)
    yield "axes", saved(x[0], "x.npy"), "is 3 x 64 x 64, not images (N, C, H, W)"
    yield "bytes", saved(x.astype(np.uint8), "x1.npy"), "has numbers of uint8"
    yield "channels", saved(x[:, :1], "x2.npy"), "has 1 channels, and the network reads"
    yield "nan", saved(x * np.nan, "x3.npy"), "has numbers that are not finite"
    yield "objects", saved(np.array([{}, 1]), "x4.npy"), "is no whole .npy file"
    yield "empty", saved(x[:0], "x5.npy"), "has no numbers"
    yield "count", saved(y[:1], "y.npy"), "is 1 x 10, of 2 images"
    yield "zeros", saved(NONE, "y1.npy"), "is zeros, which tell nothing"
    yield "shape", saved(y[:, :7], "y2.npy"), "no network tried gives an array of its"
    (folder / "x6.npy").write_bytes(blur.x.read_bytes()[:2000])
    yield "cut", {"x": folder / "x6.npy"}, "is no whole .npy file"
    (folder / "x7.png").write_bytes(b"nothing")
    yield "picture", {"x": folder / "x7.png"}, "cannot be read as a picture"
    yield "missing", {"x": folder / "none.npy"}, "cannot be read, No such file"
    yield "class", {"y": 10}, "there is no class 10 of 10"


def test_what_says_nothing_is_refused_in_a_line(
    blur: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet_spec.compare.witness.MOST", 3)
    for name, given, said in wrong(blur, tmp_path):
        result = blur.run(**given)
        assert (result.exit_code, result.stdout) == (1, ""), (name, result.output)
        assert said in result.stderr, (name, result.stderr)
        assert result.stderr.count("\n") == 1, (name, result.stderr)
    both = blur.run("--assume", "timm")
    assert both.exit_code == 2
    assert "give one" in both.stderr
