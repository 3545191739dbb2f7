sed -i 's/number \* 3/number * 4/; s/return count;/return count + 1000;/' app.hpp
