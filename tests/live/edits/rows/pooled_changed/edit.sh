# A number gets another type, a text another place, and there are new fields before and between them.
sed -i '/^  std::string name_;/d; s/^  int number_;/  long weight_ = 3;\
  double number_;\
  std::string label_ = "label";\
  std::string name_;/' item.hpp
sed -i 's/return name_; }/return name_ + " " + label_; }/
  s/return item.number_ \* 10;/return item.number_ * 10.5 + item.weight_ * 1000;/' item.cpp
