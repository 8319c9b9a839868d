"""Checks proofs of `wanhu-server audit prove` and `audit consistency` (RFC 6962, section 2.1), without any
code of the project: usage `python3 verify_proof.py FILE`. Prints what it proved; ends with 1 where it does not hold.
"""

import hashlib
import json
import sys


def parent(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_inclusion(leaf, index, size, path):
    """The root that a leaf and its path lead to."""
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            raise ValueError("path too long")
        if index % 2 or index == last:
            node = parent(sibling, node)
            while index and not index % 2:
                index, last = index >> 1, last >> 1
        else:
            node = parent(node, sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("path too short")
    return node


def roots_of_consistency(old_size, size, old_root, proof):
    """The old and the new root that a consistency proof leads to."""
    proof = list(proof)
    if old_size & (old_size - 1) == 0:
        proof.insert(0, old_root)
    index, last = old_size - 1, size - 1
    while index % 2:
        index, last = index >> 1, last >> 1
    old = new = proof.pop(0)
    for node in proof:
        if last == 0:
            raise ValueError("proof too long")
        if index % 2 or index == last:
            old, new = parent(node, old), parent(node, new)
            while index and not index % 2:
                index, last = index >> 1, last >> 1
        else:
            new = parent(new, node)
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("proof too short")
    return old, new


def main(path):
    with open(path, encoding="utf-8") as file:
        answer = json.load(file)
    size, root = answer["head"]["size"], bytes.fromhex(answer["head"]["root"])
    if "path" in answer:
        steps = [bytes.fromhex(step) for step in answer["path"]]
        leaf = bytes.fromhex(answer["leaf"])
        holds = root_of_inclusion(leaf, answer["index"], size, steps) == root
        claim = f"entry {answer['index']} of {size}"
    else:
        old_size, old_root = answer["old_size"], bytes.fromhex(answer["old_root"])
        steps = [bytes.fromhex(step) for step in answer["proof"]]
        if old_size == size:
            holds = old_root == root and not steps
        else:
            holds = roots_of_consistency(old_size, size, old_root, steps) == (old_root, root)
        claim = f"the first {old_size} of {size}"
    print(("holds: " if holds else "does not hold: ") + claim)
    return 0 if holds else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except (ValueError, KeyError, IndexError) as error:
        print(f"does not hold: {error}")
        sys.exit(1)
