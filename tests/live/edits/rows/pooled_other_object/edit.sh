# An initialiser that reads another object, which may have its old layout still.
sed -i 's/^  int number_;/&\n  const Item* next_ = nullptr;\n  int rest_ = next_ ? next_->number_ : 2;/' item.hpp
sed -i 's/item.number_ \* 10/item.number_ * item.rest_/' item.cpp
