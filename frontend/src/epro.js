import './css/epro.css'
