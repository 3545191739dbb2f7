# An exception lies in memory of its own, and may be caught after the edit.
sed -i 's/^  int number_;/&\n  int weight_ = 2;/' item.hpp
sed -i 's/item.number_ \* 10/item.number_ * item.weight_/' item.cpp
