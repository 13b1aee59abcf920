import torch
import torch.nn.functional as F
from torch_geometric.data import Data
from torch_geometric.nn import GCNConv, GATConv, SAGEConv, GINConv, global_mean_pool
from torch_geometric.loader import DataLoader
from torch import nn
from common import *
ei=torch.tensor([[0,1,1,2,2,3,3,0,4,0],[1,0,2,1,3,2,0,3,0,4]]); x=data(torch,5,6)
class Net(nn.Module):
    def __init__(s):
        super().__init__(); s.a=GCNConv(6,8); s.b=GATConv(8,8,heads=2); s.c=SAGEConv(16,8); s.d=GINConv(nn.Linear(8,3))
    def forward(s,x,ei,batch):
        x=F.relu(s.a(x,ei)); x=F.elu(s.b(x,ei)); x=F.relu(s.c(x,ei)); return global_mean_pool(s.d(x,ei),batch)
m=fill(torch,Net()); ds=[Data(x=x,edge_index=ei,y=torch.tensor([1])),Data(x=x[:4]*2,edge_index=ei[:,:8],y=torch.tensor([0]))]
for b in DataLoader(ds,batch_size=2):
    o=m(b.x,b.edge_index,b.batch); l=F.cross_entropy(o,b.y); l.backward(); show('tg',l,o,sum(g for g in grads(m) if g is not None)); print(b)
