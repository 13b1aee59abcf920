import torch
from torch import nn
from torchinfo import summary
m=nn.Sequential(nn.Conv2d(1,8,3),nn.BatchNorm2d(8),nn.ReLU(),nn.MaxPool2d(2),nn.Flatten(),nn.Linear(8*13*13,10))
s=summary(m,input_size=(4,1,28,28),verbose=0,col_names=("input_size","output_size","num_params","mult_adds"))
print(s); print(s.total_params,s.total_mult_adds,s.total_output_bytes)
enc=nn.TransformerEncoder(nn.TransformerEncoderLayer(16,2,32,batch_first=True),2)
print(summary(enc,input_size=(2,5,16),verbose=0))
print(summary(nn.LSTM(4,8,2),input_size=(5,2,4),verbose=0))
