"""What a run does when nothing else is said. Needs no torch, so pages can show it too.

The shipped model's are chosen so that, within a minute, the sigma weight makes all the difference: with it
true sentiment rises and the text stays grammatical, without it the text falls apart. A test over three seeds
holds them to that.
"""

SHIPPED = "shipped"
BETA = 0.3
STEPS = 250
BATCH_SIZE = 16  # comparisons
MEASURE_EVERY = 25  # steps
STANDARD_PULL = 0.15  # |c| of DPO at the start with this beta, β/2: where SGD's learning rate is as said
SAMPLES = 64
MAX_NEW_TOKENS = 64

# What a run can be told, as forms offer it; each first one is the default.
MODELS = {
    SHIPPED: "shipped: reviews, 1 M",
    "gpt2": "gpt2, 124 M",
    "distilgpt2": "distilgpt2, 82 M",
}
DTYPES = ("float32", "bfloat16", "float64")
DEVICES = ("auto", "cpu", "cuda", "mps")
MAX_BATCH = 4096  # comparisons
MAX_SAMPLES = 4096
MAX_REPLY = 1024  # tokens
MAX_SEED = 2**31 - 1

# What a comparison of toy and network does when nothing else is said.
PARITY_BETA = 0.1
PARITY_PAIRS = 16  # of the bundled ones
PARITY_TOY = (200, 1.0)  # steps and learning rate
PARITY_NETWORK = (50, 1e-4)

# The first optimizer is the default. A few hundred pairs agree on sentiment and little else: SGD follows what
# they agree on; AdamW scales every word's noise up to full steps and loses the grammar before it finds it.
SHIPPED_RATES = {"sgd": 0.05, "adamw": 1e-4}
OTHER_RATES = {"adamw": 1e-5, "sgd": 1e-3}


def rates(model: str) -> dict[str, float]:
    """Default learning rate by optimizer for a model; the first optimizer is the default one."""
    return SHIPPED_RATES if model == SHIPPED else OTHER_RATES
