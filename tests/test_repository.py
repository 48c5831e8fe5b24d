from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from alembic_roundtrip.repository import GitError, deployed_commit, listed_files
from example_histories import commit_all, git


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with one file on `main`, in a folder that is hard to quote."""
    folder = tmp_path / "a 😋 [x]*"
    (folder / "ver sions").mkdir(parents=True)
    (folder / "ver sions" / "ä b.py").write_bytes(b"one\ntwo\n")
    commit_all(folder)
    return folder


def blob_names(folder: Path, ref: str = "") -> list[str]:
    commit = deployed_commit(folder, ref)
    assert commit is not None
    return sorted(commit.blobs([folder / "ver sions"]))


def commit(folder: Path, name: str, text: str = "new\n") -> None:
    (folder / "ver sions" / name).write_text(text)
    commit_all(folder)


def test_a_branch_is_held_against_what_it_shares_with_the_default_branch(folder: Path) -> None:
    git(folder, "checkout", "--quiet", "-b", "feature")
    commit(folder, "mine.py")
    git(folder, "checkout", "--quiet", "main")
    commit(folder, "theirs.py")
    git(folder, "checkout", "--quiet", "feature")
    assert blob_names(folder) == ["ver sions/ä b.py"]
    found = deployed_commit(folder)
    assert found is not None
    assert (found.ref, found.is_head) == ("main", False)


def test_a_clone_asks_what_its_origin_calls_the_default(folder: Path, tmp_path: Path) -> None:
    git(folder, "branch", "--move", "main", "trunk")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(folder), str(clone))
    commit(clone, "mine.py")
    found = deployed_commit(clone)
    assert found is not None
    assert (found.ref, found.is_head) == ("origin/trunk", False)
    assert blob_names(clone) == ["ver sions/ä b.py"]


def test_what_a_partial_clone_has_not_got_is_left_out(folder: Path) -> None:
    commit(folder, "other.py", "never fetched\n")
    name = git(folder, "rev-parse", "HEAD:ver sions/other.py").strip()
    (folder / ".git" / "objects" / name[:2] / name[2:]).unlink()
    assert blob_names(folder) == ["ver sions/ä b.py"]


def test_a_ref_can_be_named(folder: Path) -> None:
    git(folder, "tag", "live")
    commit(folder, "newer.py")
    assert blob_names(folder, "live") == ["ver sions/ä b.py"]
    assert blob_names(folder) == ["ver sions/newer.py", "ver sions/ä b.py"]
    with pytest.raises(GitError, match="no-such-ref"):
        deployed_commit(folder, "no-such-ref")
    with pytest.raises(GitError):
        deployed_commit(folder, "--output=x")


def test_work_trees_submodules_and_detached_heads_are_repositories(
    folder: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    git(folder, "worktree", "add", "--quiet", "--detach", str(tree))
    assert blob_names(tree) == ["ver sions/ä b.py"]
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet", "--initial-branch=main")
    allowed = ("-c", "protocol.file.allow=always")
    git(outer, *allowed, "submodule", "--quiet", "add", str(folder), "inner")
    found = deployed_commit(outer / "inner")
    assert found is not None
    assert found.top == outer / "inner"


def test_a_shallow_clone_of_one_branch_has_no_default_branch(folder: Path, tmp_path: Path) -> None:
    git(folder, "checkout", "--quiet", "-b", "feature")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{folder}", str(clone))
    git(clone, "checkout", "--quiet", "--detach")
    git(clone, "branch", "--quiet", "-D", "feature")
    git(clone, "remote", "remove", "origin")
    assert deployed_commit(clone) is None


def test_outside_of_a_repository_and_before_the_first_commit_git_says_why(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        deployed_commit(tmp_path)
    git(tmp_path, "init", "--quiet")
    with pytest.raises(GitError):
        deployed_commit(tmp_path)


def test_without_git_it_says_that(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(GitError, match="git did not run"):
        deployed_commit(folder)


def test_contents_come_in_one_call_and_are_recognised_by_any_line_end(folder: Path) -> None:
    found = deployed_commit(folder)
    assert found is not None
    blob = found.blobs([folder / "ver sions"])["ver sions/ä b.py"]
    assert found.contents([blob]) == {blob.id: b"one\ntwo\n"}
    assert blob.is_of(b"one\ntwo\n")
    assert blob.is_of(b"one\r\ntwo\r\n")
    assert not blob.is_of(b"one\n")


def test_what_git_told_a_hook_is_not_taken_for_another_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    found = deployed_commit(folder)
    assert found is not None
    assert found.top == folder


def test_nothing_that_a_repository_names_is_run(folder: Path, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho ran >> '{witness}'\ncat\n")
    script.chmod(0o755)
    (folder / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    for key in (
        "core.fsmonitor",
        "core.pager",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.sshCommand",
        "core.alternateRefsCommand",
    ):
        git(folder, "config", key, str(script))
    hooks = folder / ".git" / "hooks"
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).write_text(script.read_text())
        (hooks / name).chmod(0o755)
    (folder / "ver sions" / "ä b.py").write_bytes(b"changed\n")
    found = deployed_commit(folder)
    assert found is not None
    found.contents(found.blobs([folder / "ver sions"]).values())
    assert ".gitattributes" in listed_files(folder)
    assert not witness.exists()


def test_a_file_that_a_partial_clone_lacks_is_not_fetched(folder: Path, tmp_path: Path) -> None:
    git(folder, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    filtered = ("--no-checkout", "--filter=blob:none")
    git(tmp_path, "clone", "--quiet", *filtered, f"file://{folder}", str(clone))
    witness = tmp_path / "ran"
    git(clone, "config", "remote.origin.uploadpack", f"touch '{witness}'; git-upload-pack")
    found = deployed_commit(clone)
    assert found is not None
    try:
        blobs = found.blobs([clone / "ver sions"])
        assert dict(found.contents(blobs.values())) == {}
    except GitError:
        pass
    assert not witness.exists()


def test_files_that_git_ignores_are_not_listed(folder: Path) -> None:
    (folder / ".gitignore").write_text("build\n")
    (folder / "build").mkdir()
    (folder / "build" / "x.sh").write_text("x")
    (folder / "new.sh").write_text("x")
    names = {name.rpartition("/")[2] for name in listed_files(folder)}
    assert names == {".gitignore", "new.sh", "ä b.py"}


def test_a_repository_of_somebody_else_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    done = subprocess.run(
        ["git", "status"], cwd=folder, env=os.environ, capture_output=True, text=True, check=False
    )
    assert "dubious ownership" in done.stderr
    with pytest.raises(GitError, match="dubious ownership"):
        deployed_commit(folder)
