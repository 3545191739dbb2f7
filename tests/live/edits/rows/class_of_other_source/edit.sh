sed -i 's/int a = 1;/int c = 1;/; s/int b = 1;/int a = 1;/; s/int c = 1;/int b = 1;/' item.hpp
