"""The engine that runs a model is chosen by what is installed and what the processor can, and says why."""

from __future__ import annotations

import importlib.util

import pytest

from importer.protocol import engines
from importer.protocol.engines import EmbeddingEngine, choose, has_fast_bf16, has_vnni


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    def become(*, openvino: bool, bf16: bool, vnni: bool = True) -> None:
        monkeypatch.setattr(engines, "has_vnni", lambda: vnni)
        monkeypatch.setattr(engines, "has_openvino", lambda: openvino)
        monkeypatch.setattr(engines, "has_fast_bf16", lambda: bf16)

    return become


@pytest.mark.parametrize(
    ("wanted", "precision", "openvino", "bf16", "name", "arithmetic"),
    [
        ("auto", "fp32", True, True, "openvino", "bf16"),
        ("auto", "fp32", True, False, "openvino", "fp32"),
        ("auto", "fp32", False, True, "onnxruntime", "fp32"),
        ("onnxruntime", "fp32", True, True, "onnxruntime", "fp32"),
        ("openvino", "fp32", True, True, "openvino", "bf16"),
        ("openvino", "fp32", False, True, "onnxruntime", "fp32"),
        ("auto", "int8", True, True, "onnxruntime", "int8"),
        ("openvino", "int8", True, True, "onnxruntime", "int8"),
    ],
)
def test_the_fastest_that_keeps_the_vectors(machine, wanted, precision, openvino, bf16, name, arithmetic) -> None:
    machine(openvino=openvino, bf16=bf16)
    found = choose(wanted, precision)
    assert (found.name, found.arithmetic) == (name, arithmetic)


def test_what_is_not_had_has_a_reason(machine) -> None:
    machine(openvino=False, bf16=True)
    assert "importer[fast]" in choose("openvino", "fp32").reason
    assert "importer[fast]" in str(choose("auto", "fp32"))
    machine(openvino=True, bf16=False)
    assert "bf16" in choose("auto", "fp32").reason
    assert choose("openvino", "int8").reason
    assert not choose("onnxruntime", "fp32").reason
    assert not choose("auto", "int8").reason
    machine(openvino=True, bf16=False, vnni=False)
    assert "VNNI" in choose("auto", "int8").reason
    assert "OpenVINO" in choose("openvino", "int8").reason
    assert "VNNI" in choose("openvino", "int8").reason


@pytest.mark.parametrize(
    ("vendor", "flags", "is_fast"),
    [
        ("GenuineIntel", "fpu avx512f avx512_bf16 amx_bf16 amx_tile", True),
        ("GenuineIntel", "fpu avx512f avx512_bf16", False),
        ("AuthenticAMD", "fpu avx512f avx512_bf16", True),
        ("AuthenticAMD", "fpu avx512f avx512_bf16x", False),
        ("AuthenticAMD", "fpu avx2\nmodel name: amx_bf16", False),
    ],
)
def test_bf16_counts_where_it_is_faster_than_fp32(tmp_path, vendor: str, flags: str, is_fast: bool) -> None:
    """Intel's cores without AMX have bf16, and are a third slower in it than in fp32."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: {flags}\nbugs\t: x\n")
    assert has_fast_bf16(str(cpuinfo)) is is_fast


def test_bf16_does_not_count_where_nothing_is_known(tmp_path) -> None:
    assert not has_fast_bf16(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("flags", "machine", "has"),
    [
        ("flags\t\t: fpu sse2 avx2 avx_vnni\n", "x86_64", True),
        ("flags\t\t: fpu sse2 avx512f avx512_vnni\n", "x86_64", True),
        ("flags\t\t: fpu sse2 avx2\nmodel name: vnni\n", "x86_64", False),
        ("Features\t: fp asimd\n", "aarch64", True),
        ("", "x86_64", False),
        ("", "arm64", True),
    ],
)
def test_vnni_is_read_off_the_processor(tmp_path, flags: str, machine: str, has: bool) -> None:
    """x86 adds int8 products in 16 bits unless it has VNNI; without flags, as on macOS, the machine's name tells."""
    cpuinfo = tmp_path / "cpuinfo"
    if flags:
        cpuinfo.write_text(flags)
    assert has_vnni(str(cpuinfo), machine) is has


def test_a_service_has_no_engine() -> None:
    assert engines.described("openai", "auto", "fp32") == ""
    assert engines.described("fastembed", "onnxruntime", "fp32") == str(EmbeddingEngine("onnxruntime", "fp32"))


def test_installed_is_what_can_be_imported() -> None:
    assert engines.has_openvino() == (importlib.util.find_spec("openvino") is not None)
