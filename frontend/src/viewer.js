import './css/viewer.css'
