# The class takes the memory of its objects by itself, and not from a pool.
sed -i 's/^  int number = 1;/&\n  int weight = 2;/; s/item->number/item->number * item->weight/' app.cpp
