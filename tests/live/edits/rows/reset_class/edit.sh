sed -i 's/guarded(5)/guarded(50)/' app.cpp
