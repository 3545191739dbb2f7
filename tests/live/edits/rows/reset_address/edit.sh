sed -i 's/"one"/"three"/' app.cpp
