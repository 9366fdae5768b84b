"""torchsummary prints the tutorials' tables, and torchinfo one table of both ways."""

import csv
import re
from pathlib import Path

import pytest
import torchinfo
import torchsummary
from torch import nn

from tests.models import both

TABLES = Path(__file__).parent / "tables"
ROW = re.compile(r"\s*(\w+)-\d+\s+\[(.*?)\]\s+([\d,]+)")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("way", ["built", "generated"])
@pytest.mark.parametrize(
    ("name", "table", "batch"),
    [("resnet18", "resnet18_batch64", 64), ("resnet34", "resnet34_2classes", -1)],
)
def test_the_tables(
    name: str, table: str, batch: int, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (TABLES / f"{table}.csv").open() as file:
        expected = [
            (row["layer"], row["output_shape"], int(row["params"]))
            for row in csv.DictReader(file)
        ]
    model: nn.Module = both(f"tutorials/{name}")[way]()
    torchsummary.summary(model, (3, 224, 224), batch_size=batch, device="cpu")
    rows = [
        m.groups()
        for line in capsys.readouterr().out.splitlines()
        if (m := ROW.match(line))
    ]
    found = [(n, s.replace(" ", ""), int(p.replace(",", ""))) for n, s, p in rows]
    assert found == expected


@pytest.mark.parametrize("name", ["resnet18", "resnetv2/resnetv2_18", "v1/resnet50_v1"])
def test_torchinfos_table_is_the_same_built_and_generated(name: str) -> None:
    """Blocks by their class, and those that read what comes before a body run first."""
    built, generated = (
        torchinfo.summary(make(), (1, 3, 64, 64), depth=4, verbose=0)
        for make in both(name).values()
    )
    assert str(built) == str(generated)
    assert "Block" in str(built) or "Bottleneck" in str(built)
