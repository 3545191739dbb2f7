sed -i 's/5, 8/50, 80/; s/"two"/"zwei"/; s/weighs/has the weight/' app.cpp
