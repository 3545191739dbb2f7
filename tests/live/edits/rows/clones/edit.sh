sed -i 's/(i % 3)/(i % 5)/' app.cpp
