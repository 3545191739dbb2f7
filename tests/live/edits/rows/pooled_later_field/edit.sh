# A new field begins with the value of one that is declared behind it.
sed -i 's/^  std::string name_/  unsigned long size_ = name_.size();\n&/; s/return name_.size()/return 2 * size_/' app.cpp
