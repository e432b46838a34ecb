"""Damaged copies of groups.vaem, named by what they must raise."""

import numpy as np
from damage import array, changed


def damaged_groups(good: bytes) -> dict[str, bytes]:
    """Everything sealed again, so that the fields themselves are looked at."""
    counts = "decode/priors/counts"

    def priors(**values: object):
        return lambda meta, sections: meta["decode"]["priors"].update(values)

    def fewer_networks(meta, sections):
        meta["decode"]["priors"]["networks"].pop()

    def another_answer(meta, sections):
        meta["decode"]["priors"]["known_answer"]["one"] = "0" * 64

    def two_levels(meta, sections):
        meta["encode"]["betas"] *= 2
        meta["decode"]["levels"] = 2
        for name in [name for name in sections if "/level/0/" in name]:
            sections[name.replace("/0/", "/1/")] = sections[name]

    changes = {
        "NotExact-model-groups-sizes": priors(groups=[1, 2, 3]),
        "BadField-model-groups-beyond-the-latents": priors(groups=[2, 1, 4]),
        "BadField-model-groups-a-group-of-0": priors(groups=[2, 1, 3, 0]),
        "BadField-model-groups-text": priors(groups=["2", 1, 3]),
        "BadField-model-groups-fewer-networks": fewer_networks,
        "BadField-model-groups-two-levels": two_levels,
        "BadField-model-groups-counts-sum": array(counts, lambda c: c + np.uint32(1)),
        "BadField-model-groups-counts-signed": array(counts, lambda c: c.astype(np.int32)),
        "BadField-model-groups-counts-flat": array(counts, lambda c: c[0]),
        "BadField-model-groups-ranges-fewer": array("decode/priors/low", lambda low: low[:1]),
        "BadField-model-groups-no-counts": lambda meta, sections: sections.pop(counts) and None,
        "LimitExceeded-model-groups-one": priors(groups=[6], networks=[]),
        "NotCanonical-model-groups-unknown-key": priors(colour=1),
        "NotCanonical-model-groups-more-networks": lambda meta, sections: sections.update({"decode/priors/2/0/x": b""}),
        "NotExact-model-groups-weights": array("decode/priors/1/0/weight", lambda w: w.astype(np.int32) * 40000),
        "KnownAnswerMismatch-use-groups-hash": another_answer,
    }
    return {name: changed(good, change) for name, change in changes.items()}
