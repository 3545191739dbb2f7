# The slots of the pool have room for 96 more bytes.
sed -i 's/^  int number_;/&\n  char parts_[120] = "x";/' item.hpp
sed -i 's/item.number_ \* 10/item.number_ * item.parts_[0]/' item.cpp
