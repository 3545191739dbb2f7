# Objects that the program makes in memory of its own lie in no pool.
sed -i 's/^  int number;/&\n  int weight = 2;/' item.hpp
sed -i 's/number \* 10/number * weight/' item.cpp
