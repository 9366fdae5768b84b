"""torchsummary prints the tutorials' tables from the generated files."""

import csv
import re
from pathlib import Path

import pytest
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
    if way == "built":  # whose blocks all have one class
        found = [(n.replace("_Block", "BasicBlock"), *rest) for n, *rest in found]
    assert found == expected
