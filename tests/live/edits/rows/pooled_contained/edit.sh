# Containers are named as the program writes them, and std::make_shared by its name.
sed -i 's/^  int number = 1;/&\n  int weight = 2;/; s/shared->number/shared->number * shared->weight/' app.cpp
