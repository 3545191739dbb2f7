# The base gets a field, and so do two of its subclasses: their own fields move.
sed -i 's/^  std::string name_;/&\n  std::string label_ = name_ + "!";\n  long factor_ = 10;/
  s/^  int radius_;/&\n  int twice_ = 2 * radius_;/; s/^  int scale_ = 3;/  double scale_ = 3;/' shapes.hpp
sed -i 's/return name_ + " "/return label_ + " "/; s/return 3 \* radius_ \* radius_;/return factor_ * radius_ * twice_;/
  s/return side_ \* side_/return factor_ * side_ * side_/; s/return Square::area() \* scale_;/return Square::area() * scale_ * 1.5;/' shapes.cpp
