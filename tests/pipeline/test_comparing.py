from pipeline.comparing import compare_reports, print_differences
from tests.pipeline.test_report import frame_of, report_row


def test_differences(capsys):
    old = frame_of(
        report_row(1, "a"),
        report_row(2, "b"),
        report_row(3, "c", output_sha256="1"),
        report_row(4, "gone"),
    )
    new = frame_of(
        report_row(1, "a", status="unchanged", seconds=9),
        report_row(2, "b", status="refused", reason="unsafe_op"),
        report_row(3, "c", output_sha256="2"),
        report_row(5, "new"),
    )
    found = compare_reports(old, new)
    assert sorted(zip(found["model"], found["column"], strict=True)) == [
        ("b", "reason"),
        ("b", "status"),
        ("c", "output_sha256"),
        ("gone", "row"),
        ("new", "row"),
    ]
    print_differences(found)
    assert "b/1  status: migrated -> refused" in capsys.readouterr().out
    assert compare_reports(old, old).empty
