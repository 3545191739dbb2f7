# An allocator makes objects in memory of its own.
sed -i 's/^  int number_;/&\n  int weight_ = 2;/' item.hpp
sed -i 's/item.number_ \* 10/item.number_ * item.weight_/' item.cpp
