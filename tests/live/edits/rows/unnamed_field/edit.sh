sed -i 's/^    int x;/    int z;/; s/^    int y;/    int x;/; s/^    int z;/    int y;/' app.cpp
