# A small object lies in the std::any itself.
sed -i 's/^  int number = 1;/&\n  int factor = 10;/; s/small.number += /small.number += small.factor * /' app.cpp
