# The table of virtual functions of the objects that exist lacks the new one.
sed -i 's/^  std::string describe() const;/&\n  virtual int price() const;/' item.hpp
echo 'int shop::Item::price() const { return number_; }' >>item.cpp
sed -i 's/item.number_ \* 10/item.price() * 10/' item.cpp
