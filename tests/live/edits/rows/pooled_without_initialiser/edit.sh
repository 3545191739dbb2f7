# What the constructors give a field is not known to objects that exist.
sed -i 's/^  int number_;/&\n  int weight_;/; s/number_(number) {}/number_(number), weight_(2) {}/' item.hpp
sed -i 's/item.number_ \* 10/item.number_ * item.weight_/' item.cpp
