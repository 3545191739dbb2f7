sed -i 's/return k;/static std::string s = "x"; s += k; return s;/' app.cpp
