sed -i 's/return side;/return -side;/; s/side \* side/side * side + 1/' app.cpp
