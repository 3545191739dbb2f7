sed -i '0,/i \* 3/s//i * 4/' app.cpp
