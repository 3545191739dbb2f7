sed -i 's/  int y = 0;/  int y = 0;\n  int z = 3;/; s/each.x \* each.y/each.x * each.y * each.z/' app.cpp
