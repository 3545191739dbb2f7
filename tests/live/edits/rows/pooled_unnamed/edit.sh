# A class in an unnamed namespace, with a table of virtual functions that stays as it is.
sed -i 's/^  int number_ = 0;/  long number_ = 0;\n  const int step_ = 100;/; s/number_ += by/number_ += by * step_/' app.cpp
