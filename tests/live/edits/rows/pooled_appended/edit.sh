# New fields behind the old ones: numbers by what the object has, an array, a bit-field, texts.
sed -i '/^  int number_;/a\
  int weight_ = 2 * number_ + 1, parts_[3] = {1, 2, made};\
  std::string label_ = name_ + "!";\
  unsigned flags_ : 3 = 5;\
  std::string note_{"a note that is too long for a short string"};' item.hpp
sed -i 's/return name_; }/return name_ + " " + label_ + " " + note_; }/
  s/return item.number_ \* 10;/return item.number_ * 10 + item.weight_ * 1000 + item.parts_[2] + item.flags_ * 100;/' item.cpp
