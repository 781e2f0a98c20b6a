"""Files that PyTorch itself saves: python3 save.py FOLDER. PyTorch 2.11 wrote the committed ones."""
import sys

import torch
from torch import nn


def module(**children):
    result = nn.Module()
    for name, child in children.items():
        result.register_buffer(name, child) if type(child) is torch.Tensor else setattr(
            result, name, child)
    return result


def block(width):
    return module(
        ln1=nn.LayerNorm(width), qkv=nn.Linear(width, 3 * width), out=nn.Linear(width, width),
        ln2=nn.LayerNorm(width), fc1=nn.Linear(width, 4 * width), fc2=nn.Linear(4 * width, width))


def longer():
    """The parameters of StateDictTest's configuration under the names of native/docs/model.md."""
    return module(
        event_encoder=module(
            position=nn.Embedding(12, 7), time_bucket=nn.Embedding(7, 3),
            fc1=nn.Linear(10, 16), fc2=nn.Linear(16, 8)),
        token_merge=module(slot=nn.Embedding(2, 8), inner=nn.ModuleList([block(8)])),
        layers=nn.ModuleList([block(16), block(16)]),
        head=module(ln=nn.LayerNorm(16), fc1=nn.Linear(48, 16), fc2=nn.Linear(16, 1)),
        table=module(
            genre=nn.Embedding(6, 3),
            movie=module(ids=torch.tensor([40, -7, 3]), rows=torch.randn(4, 4))),
        **{"global": module(
            cls=nn.Parameter(torch.randn(1, 16)), user_time_bucket=nn.Embedding(7, 3),
            user=nn.Linear(6, 16), candidate=nn.Linear(7, 16))})


folder = sys.argv[1]
torch.manual_seed(5)
torch.save(dict(longer().state_dict()), folder + "/state_dict.pt")
floats = torch.arange(6.0).view(2, 3)
torch.save({
    "float": floats, "transposed": floats.t(), "column": floats[:, 1], "parameter": nn.Parameter(floats),
    "double": floats.double() / 4, "half": floats.half() / 4, "bfloat16": floats.bfloat16() / 4,
    "long": torch.tensor([-2**63, 2**63 - 1]), "int": torch.tensor([[-1], [7]], dtype=torch.int32),
    "bool": torch.tensor([True, False]), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4),
}, folder + "/tensors.pt")
torch.save({"weight": floats, "epoch": 3}, folder + "/mixed.pt")
torch.save(nn.Linear(3, 2).state_dict(), folder + "/ordered.pt")
torch.save([floats], folder + "/list.pt")
torch.save({"weight": floats}, folder + "/legacy.pt", _use_new_zipfile_serialization=False)
if torch.cuda.is_available():
    torch.save({"weight": floats.cuda()}, folder + "/gpu.pt")
