sed -i 's/return a \* number < b \* number/return (a * number) % 3 < (b * number) % 3/' app.cpp
