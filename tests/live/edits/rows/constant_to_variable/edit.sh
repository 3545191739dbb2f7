sed -i 's/static const int table/static int table/; s/return table\[i & 3\];/return table[i \& 3]++;/' app.cpp
