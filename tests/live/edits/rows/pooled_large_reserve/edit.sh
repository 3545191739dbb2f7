# A reserve that fills a byte is no negative one.
sed -i 's/^  int number_;/&\n  char parts_[180] = "x";/' item.hpp
sed -i 's/item.number_ \* 10/item.number_ * item.parts_[0]/' item.cpp
