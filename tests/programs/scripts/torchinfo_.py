import torch
from common import report
from torchinfo import summary

model = torch.nn.Sequential(
    torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
    torch.nn.MaxPool2d(2), torch.nn.Flatten(), torch.nn.Linear(8 * 8 * 8, 10))
found = summary(model, input_size=(4, 3, 16, 16), verbose=0,
                col_names=("input_size", "output_size", "num_params", "mult_adds"))
report(text=str(found), total=found.total_params, mult_adds=found.total_mult_adds,
       output_bytes=found.total_output_bytes)
