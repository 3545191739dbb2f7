sed -i 's/42/43/; s/number + number;/number + number + 1;/' app.cpp
sed -i 's/- 7/- 70/' app.hpp
