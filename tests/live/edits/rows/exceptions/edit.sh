sed -i 's/number > 9/number > 99/; s/too large/far too large/; s/-1000 +/-2000 +/; s/return number;/if (number == 50) throw std::runtime_error("fifty");\n  return number;/' app.cpp
