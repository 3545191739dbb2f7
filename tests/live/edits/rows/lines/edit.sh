sed -i 's/#define HERE/\/\/ What is\n\/\/ where it was, but for its line.\n&/' app.hpp
sed -i 's/static int asked/\n\/\/ Two more lines.\n&/; s/number \* 2/number * 3/' app.cpp
sed -i 's/^void answer/\/\/ And one more.\n&/' app.cpp
