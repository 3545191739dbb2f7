# Without RTTI the objects of a class are not told from those of others.
sed -i 's/^  int number_ = 0;/  long number_ = 0;\n  const int step_ = 100;/; s/number_ += by/number_ += by * step_/' app.cpp
